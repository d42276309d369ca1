import { contractArea } from './area.ts';

contractArea('gateways');
