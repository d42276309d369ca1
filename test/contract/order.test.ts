import { contractArea } from './area.ts';

contractArea('order');
