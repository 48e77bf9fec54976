/**
 * Events have two APIs over one storage: core/v1 and events.k8s.io/v1. They are kept as they
 * were written and translated for readers of the other API.
 */
import { apiVersionOf, type KubeObject, type Open, type ResourceType } from './resource.ts';

/** The object as the API of `type` shows it. */
export function inFormatOf(type: ResourceType, object: KubeObject): KubeObject {
  if (object.kind !== 'Event' || object.apiVersion === apiVersionOf(type)) return object;
  return object.apiVersion === 'v1' ? toNewEvent(object) : toCoreEvent(object);
}

/** events.k8s.io/v1 → core/v1. */
function toCoreEvent(event: KubeObject): KubeObject {
  const { regarding, note, reportingController, deprecatedSource, ...rest } = event;
  const { deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount, ...kept } = rest;
  return compact({
    ...kept,
    apiVersion: 'v1',
    involvedObject: regarding,
    message: note,
    reportingComponent: reportingController,
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
  });
}

/** core/v1 → events.k8s.io/v1. */
function toNewEvent(event: KubeObject): KubeObject {
  const { involvedObject, message, reportingComponent, source, ...rest } = event;
  const { firstTimestamp, lastTimestamp, count, ...kept } = rest;
  return compact({
    ...kept,
    apiVersion: 'events.k8s.io/v1',
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
  });
}

function compact(object: Open): KubeObject {
  const kept = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as KubeObject;
}
