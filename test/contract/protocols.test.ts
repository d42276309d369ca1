import { contractArea } from './area.ts';

contractArea('protocols');
