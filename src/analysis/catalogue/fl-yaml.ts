import type { Message } from './message.ts';

const service = (more: string): string => `apiVersion: v1
kind: Service
metadata:
  name: reviews
spec:
${more}`;

const vs = (version: string, more = ''): string => `apiVersion: networking.istio.io/${version}
kind: VirtualService
metadata:
  name: shop
spec:
  hosts: [shop.example.com]
${more}  http:
    - route:
        - destination: {host: shop.example.com}
`;

/** How things are written: tabs, duplicate keys, and words and numbers where a text is needed are errors of FL0001 and FL0002. */
export const flYaml: readonly Message[] = [
  {
    code: 'FL0601',
    name: 'OctalNumber',
    level: 'Warning',
    args: ['written: string', 'value: int', 'decimal: int'],
    template: '{written} is octal, and means {value}',
    summary: 'A number is written with a leading zero, which YAML 1.1 reads as octal.',
    effect: 'Another number is used than the one that is written.',
    hint: 'Write it without the zero, or quote it where a text is meant',
    wrong: service('  ports: [{name: http, port: 010}]\n'),
    right: service('  ports: [{name: http, port: 10}]\n'),
  },
  {
    code: 'FL0602',
    name: 'BooleanKey',
    level: 'Warning',
    args: ['written: string', 'key: string'],
    template: 'the key {written} is a boolean in YAML 1.1, and means {key}',
    summary: 'A key is one of the words that YAML 1.1 takes for booleans: y, yes, on, n, no, off.',
    effect: 'The key is `true` or `false`: a label or header of the name that is written is never found.',
    hint: 'Quote it',
    wrong: service('  selector: {app: reviews, on: "1"}\n  ports: [{name: http, port: 80}]\n'),
    right: service('  selector: {app: reviews, "on": "1"}\n  ports: [{name: http, port: 80}]\n'),
  },
  {
    code: 'FL0603',
    name: 'OldApiVersion',
    level: 'Info',
    args: ['version: string', 'fresh: string'],
    template: '{version} is old: write {fresh}',
    summary: 'An object is written in an old version of its API, though there is v1 with the same fields.',
    effect: 'Nothing today; old versions are taken out some day.',
    wrong: vs('v1beta1'),
    right: vs('v1'),
  },
  {
    code: 'FL0604',
    name: 'ListedTwice',
    level: 'Info',
    args: ['entry: string'],
    template: '{entry} is in the list already',
    summary: 'A Gateway of a VirtualService, or a host of a Gateway, is in the same list twice.',
    effect: 'Nothing; most likely another one was meant.',
    wrong: vs('v1', '  gateways: [mesh, mesh]\n'),
    right: vs('v1', '  gateways: [mesh]\n'),
  },
];
