import { contractArea } from './area.ts';

contractArea('services');
