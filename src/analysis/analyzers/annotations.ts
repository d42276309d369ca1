import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { ReportFinding } from '../finding.ts';
import { annotationProblem } from '../model/check-annotation.ts';
import { INJECT } from '../model/injection.ts';
import { KNOWN_ANNOTATIONS } from '../model/known-annotations.ts';

/** Written by Istio itself. */
const NEVER = new Set(['sidecar.istio.io/status', 'gateway.istio.io/controller-version', 'istio.io/rev']);
const KINDS = ['Namespace', 'Service', 'Pod', 'Deployment'];

/** Istio's annotations that are unknown, deprecated, at the wrong place, or have a wrong value. */
export const annotations: Analyzer = {
  name: 'annotations',
  codes: ['IST0107', 'IST0108', 'IST0125', 'IST0135'],
  run(model, report) {
    for (const kind of KINDS) {
      for (const resource of model.of(kind)) {
        for (const name in resource.metadata.annotations) if (isIstios(name)) checkAnnotation(resource, name, report);
      }
    }
  },
};

function isIstios(name: string): boolean {
  if (NEVER.has(name)) return false;
  const slash = name.indexOf('/');
  return name === 'kubernetes.io/ingress.class' || (slash !== -1 && name.slice(0, slash).endsWith('istio.io'));
}

function checkAnnotation(resource: Resource, annotation: string, report: ReportFinding): void {
  const { kind, metadata } = resource;
  const at = ['metadata', 'annotations', annotation];
  const known = KNOWN_ANNOTATIONS.get(annotation);
  if (known === undefined) {
    report('IST0108', resource, at, { annotation }, { atKey: true });
    return;
  }
  const isLabelToo = annotation === INJECT && Object.hasOwn(metadata.labels, INJECT);
  if (known.deprecated && !isLabelToo) {
    const extra = annotation === INJECT ? `use the label ${INJECT}` : '';
    report('IST0135', resource, at, { annotation, extra }, { atKey: true });
  }
  if (known.kinds.includes('Any')) return;
  if (!known.kinds.includes(kind)) {
    report('IST0107', resource, at, { annotation, kind: known.kinds.join(', ') }, { atKey: true });
    return;
  }
  const value: unknown = metadata.annotations[annotation];
  if (known.check === undefined || typeof value !== 'string') return;
  const problem = annotationProblem(known.check, value);
  if (problem !== undefined) report('IST0125', resource, at, { annotation, problem });
}
