// The verbs of the program, put together.
import type { Verbs } from '../program.ts';
import { ablateVerb } from './ablate.ts';
import { benchVerb } from './bench.ts';
import { completionVerb } from './completion.ts';
import { configVerb } from './config.ts';
import { convertWeightsVerb } from './convert.ts';
import { dataVerbs } from './data/index.ts';
import { doctorVerb } from './doctor.ts';
import { evaluateVerb } from './evaluate.ts';
import { exportVerb } from './exportModel.ts';
import { infoVerb } from './info.ts';
import { predictVerb } from './predict.ts';
import type { Presets } from './training.ts';
import { standardPresets, trainingVerbs } from './training.ts';

/** All verbs; training begins with the given sizes. */
export function createVerbs(presets: Presets = standardPresets): Verbs {
  return {
    ...trainingVerbs(presets),
    eval: evaluateVerb,
    predict: predictVerb,
    info: infoVerb,
    export: exportVerb,
    ablate: ablateVerb(presets),
    convert: convertWeightsVerb,
    doctor: doctorVerb,
    bench: benchVerb,
    config: configVerb,
    completion: completionVerb,
    data: dataVerbs,
  };
}
