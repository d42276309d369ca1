import { contractArea } from './area.ts';

contractArea('fuzz');
