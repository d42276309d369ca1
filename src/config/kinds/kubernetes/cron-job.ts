import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { boolean, open, string, stringMap } from '../schema.ts';
import { Job } from './job.ts';

export const CronJob = open(
  'Jobs by the clock.',
  {
    schedule: string('When, in cron notation.'),
    timeZone: string('Time zone of the schedule. Default: that of the controller.'),
    concurrencyPolicy: string('What becomes of a job when the one before still runs: `Allow` (the default), `Forbid` or `Replace`.'),
    suspend: boolean('Starts no jobs. Default: false.'),
    jobTemplate: open('What jobs are made from.', {
      metadata: open('Metadata of the jobs.', { labels: stringMap('Their labels.'), annotations: stringMap('Their annotations.') }),
      spec: Job,
    }),
  },
  { required: ['schedule', 'jobTemplate'] },
);

export type CronJob = Static<typeof CronJob>;

export const cronJob = defineKind({
  kind: 'CronJob',
  group: 'batch',
  versions: ['v1'],
  plural: 'cronjobs',
  shortNames: ['cj'],
  scope: 'Namespaced',
  description: 'Starts Jobs by the clock.',
  payload: 'spec',
  schema: CronJob,
  unknownFields: 'allow',
});
