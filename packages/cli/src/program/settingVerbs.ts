// The verbs about the command line itself, as data: `config` and `completion`.
import type { CompletionOptions, ConfigOptions } from '../options.ts';
import { shells } from '../options.ts';
import { presetDescriptions } from '../presets.ts';
import { speechOptions } from './commonOptions.ts';
import { configOption, presetOption, settingsArgument } from './settingOptions.ts';
import type { VerbSpec } from './specification.ts';
import { verbSpec } from './specification.ts';

const presetLines = Object.entries(presetDescriptions).map(
  ([name, description]) => `  ${name.padEnd(28)}${description}`,
);

const config = verbSpec<ConfigOptions>({
  name: 'config',
  description: 'print all settings of a preset, with those of a file and of key=value in their place',
  arguments: [settingsArgument],
  options: [
    { ...presetOption, default: 'small' },
    configOption,
    { flags: '--schema', description: 'the JSON Schema of files of settings instead, for editors' },
    ...speechOptions('one JSON object on standard output, nothing else there'),
  ],
  examples: [
    { words: 'config', meaning: 'every setting with its meaning, as a YAML file to change' },
    { words: 'config recipe.optimizer.weightDecay=0.05', meaning: 'whether a setting is right' },
    { words: 'config --schema', meaning: 'for an editor that checks files while they are written' },
  ],
  notes: ['Presets:', ...presetLines].join('\n'),
  run: (verbs) => verbs.config,
});

const completion = verbSpec<CompletionOptions>({
  name: 'completion',
  description: 'print a script that lets a shell complete verbs, options, presets and settings',
  arguments: [{ name: 'shell', description: 'which one', choices: shells }],
  options: [],
  examples: [
    { words: 'completion bash', meaning: 'in ~/.bashrc: eval "$(autoassign completion bash)"' },
    { words: 'completion zsh', meaning: 'into a folder of fpath, as _autoassign' },
    { words: 'completion fish', meaning: 'into ~/.config/fish/completions/autoassign.fish' },
  ],
  run: (verbs) => verbs.completion,
});

/** `config` and `completion`. */
export const settingVerbs: readonly VerbSpec[] = [config, completion];
