// Every primitive on GPU.js in plain JavaScript, against the double-precision reference.
import { describe, test } from 'vitest';
import { conformance } from '../../src/testing/conformance.ts';
import { strictly } from './strictly.ts';

conformance('gpujs cpu', strictly('cpu'), { describe, test });
