// The verbs of `autoassign data`, put together.
import type { DataVerbs } from '../../program.ts';
import { checkVerb } from './check.ts';
import { convertVerb } from './convert.ts';
import { downloadVerb } from './download/index.ts';
import { publishedSources } from './download/sources.ts';
import { infoVerb } from './info.ts';
import { showVerb } from './show.ts';
import { splitVerb } from './split.ts';

/** All verbs that work on a dataset. */
export const dataVerbs: DataVerbs = {
  info: infoVerb,
  check: checkVerb,
  show: showVerb,
  convert: convertVerb,
  split: splitVerb,
  download: downloadVerb(publishedSources),
};
