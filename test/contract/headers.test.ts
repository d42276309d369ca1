import { contractArea } from './area.ts';

contractArea('headers');
