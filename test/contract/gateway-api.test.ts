import { contractArea } from './area.ts';

contractArea('gateway-api');
