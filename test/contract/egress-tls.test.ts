import { contractArea } from './area.ts';

contractArea('egress-tls');
