// Every primitive on every backend that Chromium runs, against the double-precision reference.
import { describe, test } from 'vitest';
import { conformance } from '../../src/testing/conformance.ts';
import { computingBackends } from '../backends.ts';

for (const { name, make } of computingBackends) conformance(name, make, { describe, test });
