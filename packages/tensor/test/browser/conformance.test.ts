// Every primitive on every backend that Chromium runs, against the double-precision reference.
import { describe, test } from 'vitest';
import { conformance } from '../../src/testing/conformance.ts';
import { backends } from '../backends.ts';

// these pages are not isolated: more threads than one would be one
const here = backends.filter(({ name }) => !name.includes('threads'));
for (const { name, make } of here) conformance(name, make, { describe, test });
