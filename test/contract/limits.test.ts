import { contractArea } from './area.ts';

contractArea('limits');
