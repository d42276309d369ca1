import { contractArea } from './area.ts';

contractArea('direct');
