import { contractArea } from './area.ts';

contractArea('bytes');
