import { contractArea } from './area.ts';

contractArea('faults');
