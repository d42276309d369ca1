import { contractArea } from './area.ts';

contractArea('delegates');
