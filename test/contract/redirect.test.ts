import { contractArea } from './area.ts';

contractArea('redirect');
