import { contractArea } from './area.ts';

contractArea('authorization');
