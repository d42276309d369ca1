import { contractArea } from './area.ts';

contractArea('balancing');
