import { contractArea } from './area.ts';

contractArea('jwt');
