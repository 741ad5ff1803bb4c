// Every primitive on every backend that Node runs, against the double-precision reference.
import { describe, test } from 'vitest';
import { conformance } from '../src/testing/conformance.ts';
import { backends } from './backends.ts';

for (const { name, make } of backends) conformance(name, make, { describe, test });
