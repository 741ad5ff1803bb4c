// The verb `config`: all settings, merged and checked as a run would, or what files of settings may hold.
import type { ConfigOptions } from '../options.ts';
import { presetNamed } from '../presets.ts';
import type { VerbContext } from '../program.ts';
import { settingsFileSchema } from '../settings/fileSchema.ts';
import { printedSettings, withoutClasses } from '../settings/printed.ts';
import { layeredPreset, layersOf } from './runSettings.ts';

/** Prints the settings that options and words ask for; those that are chosen from data are as in the preset. */
export async function configVerb(options: ConfigOptions, { reporter }: VerbContext): Promise<void> {
  if (options.schema) {
    reporter.event({ event: 'schema', schema: settingsFileSchema });
    reporter.result(JSON.stringify(settingsFileSchema, null, 2));
    return;
  }
  const preset = presetNamed(options.preset);
  const settings = layeredPreset(preset, await layersOf(options));
  reporter.event({ event: 'config', ...withoutClasses(settings), origin: preset.origin });
  reporter.result(printedSettings(settings, preset).trimEnd());
}
