// The words and options that settings are made of, for the verbs that take any.
import { existingFile } from '../pathOptions.ts';
import { presetDescriptions, presetNamed } from '../presets.ts';
import type { ArgumentSpec, OptionSpec } from './specification.ts';

function knownPreset(name: string): string {
  presetNamed(name);
  return name;
}

/** Settings as `key=value`. */
export const settingsArgument: ArgumentSpec = {
  name: 'settings',
  description: "settings as key=value, such as recipe.rate=0.01; 'autoassign config' prints them all",
  isList: true,
  isOptional: true,
  completedBy: 'setting',
};

/** What settings begin with. */
export const presetOption: OptionSpec = {
  flags: '--preset <name>',
  description: "what to begin with: network, recipe and image sizes; 'autoassign config --help' lists them",
  parse: knownPreset,
  choices: Object.keys(presetDescriptions),
};

/** A file of settings. */
export const configOption: OptionSpec = {
  flags: '--config <file>',
  description: 'settings in JSON or YAML, or the config.json of an earlier run; before options and key=value',
  parse: existingFile('--config'),
  completedBy: 'file',
};
