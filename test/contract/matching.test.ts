import { contractArea } from './area.ts';

contractArea('matching');
