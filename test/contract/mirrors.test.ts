import { contractArea } from './area.ts';

contractArea('mirrors');
