// Every primitive on GPU.js on WebAssembly, against the double-precision reference.
import { describe, test } from 'vitest';
import { conformance } from '../../src/testing/conformance.ts';
import { strictly } from './strictly.ts';

conformance('gpujs webasm', strictly('webasm'), { describe, test });
