// What our engine says of the adapter that it would run on, in Node and in pages.
import { surveyBackends } from '@autoassign/tensor';

/** An adapter in words. */
export interface SurveyedAdapter {
  readonly description: string;
  /** Whether it computes on the CPU. */
  readonly isSoftware: boolean;
  /** Features of WebGPU that say something of computing. */
  readonly features: readonly string[];
}

/**
 * The adapter of a source, by default of the page's.
 *
 * Throws  Error when there is none, with the reason
 */
export const surveyAdapter = async (gpu?: GPU): Promise<SurveyedAdapter> => {
  const surveys = await surveyBackends(gpu === undefined ? {} : { webgpu: { gpu } });
  const { facts, isAvailable, reason } = surveys.find(({ name }) => name === 'webgpu')!;
  if (!isAvailable) throw new Error(reason);
  return {
    description: String(facts.adapter),
    isSoftware: facts.software === true,
    features: facts.features as readonly string[],
  };
};
