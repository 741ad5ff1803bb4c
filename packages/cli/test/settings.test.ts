// Settings in layers: the words and files that change them, and what is said of those that cannot.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoConfig } from '@autoassign/detector';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { UsageError } from '../src/exitCodes.ts';
import { smallImages } from '../src/imagePlan.ts';
import type { ConfigOptions } from '../src/options.ts';
import { presetNamed } from '../src/presets.ts';
import { demoRecipe } from '../src/recipe.ts';
import { readSettings } from '../src/settings/configFile.ts';
import { assigned, withLayer } from '../src/settings/layers.ts';
import { settingPaths } from '../src/settings/paths.ts';
import { printedSettings } from '../src/settings/printed.ts';
import type { Settings } from '../src/settings/runSchema.ts';
import { configVerb } from '../src/verbs/config.ts';
import { tryProgram } from './surroundings.ts';

const settings: Settings = { recipe: demoRecipe, images: smallImages, detector: demoConfig(['a', 'b']) };
const given = (...words: string[]): Settings => withLayer(settings, assigned(words));

describe('key=value', () => {
  it('takes numbers, words, lists and objects as the field does', () => {
    const changed = given(
      'recipe.rate=5e-3',
      'detector.loss.forceTopK=9',
      'images.train.shortSides=[640,800]',
      'images.train.draw=range',
      'images.train.enlarge=true',
      'recipe.warmup={steps: 0, from: 1, form: mmdetection 3}',
      'recipe.clipNorm=35',
    );
    expect(changed).toEqual({
      recipe: {
        ...demoRecipe,
        rate: 0.005,
        clipNorm: 35,
        warmup: { steps: 0, from: 1, form: 'mmdetection 3' },
      },
      images: {
        ...smallImages,
        train: { ...smallImages.train, shortSides: [640, 800], draw: 'range', enlarge: true },
      },
      detector: { ...settings.detector, loss: { ...settings.detector.loss, forceTopK: 9 } },
    });
  });

  it('replaces what is of another kind as a whole, and takes optional fields away', () => {
    const sgd = given(
      'recipe.optimizer.kind=sgd',
      'recipe.optimizer.momentum=0.9',
      'recipe.optimizer.weightDecay=1e-4',
      'recipe.length.epochs=12',
    );
    expect(sgd.recipe.optimizer).toEqual({ kind: 'sgd', momentum: 0.9, weightDecay: 1e-4 });
    expect(sgd.recipe.length).toEqual({ epochs: 12 });
    expect(
      'clipNorm' in withLayer(given('recipe.clipNorm=1'), assigned(['recipe.clipNorm=null'])).recipe,
    ).toBe(false);
    expect(given('detector.loss.kind=autoassign').detector.loss).toEqual({
      ...settings.detector.loss,
      kind: 'autoassign',
    });
  });

  it.each([
    ['recipe.batchsize=3', "there is no setting 'recipe.batchsize'. Did you mean 'recipe.batchSize'?"],
    ['batchSize=3', "Did you mean 'recipe.batchSize'?"],
    ['topK=3', "See 'autoassign config'"],
    ['recipe.rate=fast', 'recipe.rate needs a number of at least 0, got "fast"'],
    ['recipe.rate=-1', 'recipe.rate needs a number of at least 0, got -1'],
    ['recipe.rate=', 'recipe.rate needs a number of at least 0, got ""'],
    ['recipe.rate=Infinity', 'recipe.rate needs a number of at least 0'],
    ['recipe.batchSize=2.5', 'recipe.batchSize needs an integer of at least 1, got 2.5'],
    ['images.train.enlarge=yes', 'images.train.enlarge needs true or false, got "yes"'],
    ['images.train.draw=any', 'images.train.draw needs one of choice, range, got "any"'],
    ['images.train.shortSides=640', 'images.train.shortSides needs a list of at least 1, got 640'],
    ['images.train.shortSides=[640', 'images.train.shortSides needs a list of at least 1, got "[640"'],
    ['recipe.optimizer.kind=sgd', 'recipe.optimizer.momentum needs a number of at least 0, got nothing'],
    ['recipe.optimizer.momentum=1', 'recipe.optimizer.momentum needs only the fields kind, weightDecay'],
    ['recipe.rate=null', 'recipe.rate needs a number of at least 0, got nothing'],
    ['recipe.augment=[{type: flop}]', 'recipe.augment needs a list of transforms'],
    ['detector.head.groups=7', 'detector.head.groups needs a divisor of the 48 channels'],
    ['detector.classes=[a]', 'detector.classes comes from the dataset'],
    ['__proto__.x=1', "there is no setting '__proto__.x'"],
    ['recipe.rate', "a setting needs the form key=value, got 'recipe.rate'"],
    ['=1', "got '=1'"],
  ])('%s is refused', (word, says) => {
    expect(() => given(word)).toThrow(UsageError);
    expect(() => given(word)).toThrow(says);
  });

  it('never does anything but change settings or refuse, whatever is typed', () => {
    const path = fc.constantFrom(...settingPaths.map((setting) => setting.path));
    const text = fc.oneof(fc.string(), fc.json({ maxDepth: 2 }), fc.double().map(String));
    fc.assert(
      fc.property(fc.array(fc.tuple(path, text), { maxLength: 3 }), (pairs) => {
        try {
          const changed = given(...pairs.map(([key, value]) => `${key}=${value}`));
          expect(withLayer(changed, {})).toEqual(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});

describe('settingPaths', () => {
  it('name every field of settings, each with its meaning', () => {
    const known = settingPaths.map(({ path }) => path);
    const leaves = (value: unknown, path: string): string[] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([name, inner]) =>
            leaves(inner, path === '' ? name : `${path}.${name}`),
          )
        : [path];
    for (const path of leaves(settings, '')) if (path !== 'detector.classes') expect(known).toContain(path);
    for (const { path, node } of settingPaths) expect(node.description, path).toMatch(/\.$/);
  });
});

describe('files of settings', () => {
  let folder = '';
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'settings-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are JSON or YAML, with some of the settings or a whole run', async () => {
    const yaml = await readSettings(await file('a.yaml', '# faster\nrecipe:\n  rate: 0.01\n'));
    const json = await readSettings(await file('a.json', '{"recipe": {"rate": 0.01}}'));
    expect(yaml).toEqual({ recipe: { rate: 0.01 } });
    expect(json).toEqual(yaml);
    expect(withLayer(settings, yaml).recipe).toEqual({ ...demoRecipe, rate: 0.01 });
    const run = { format: 3, seed: 3, ...given('recipe.rate=0.02') };
    const again = withLayer(settings, await readSettings(await file('config.json', JSON.stringify(run))));
    expect(again).toEqual(given('recipe.rate=0.02'));
    expect(await readSettings(await file('empty.yml', '# nothing yet\n'))).toEqual({});
  });

  it('are what settings are printed as', async () => {
    const changed = given('recipe.rate=0.02', 'recipe.length.epochs=3');
    const text = printedSettings(changed, presetNamed('small'));
    expect(withLayer(settings, await readSettings(await file('printed.yaml', text)))).toEqual(changed);
    expect(text).toContain(
      '# The learning rate after warm-up and before the schedule lowers it.\n  rate: 0.02',
    );
    expect(parse(text)).not.toHaveProperty('detector.classes');
  });

  it.each([
    ['a.txt', '', 'needs a .json, .yaml or .yml file'],
    ['b.json', '{', 'needs a file of settings'],
    ['c.yaml', 'a: [', 'needs a file of settings'],
    ['d.yaml', 'a: 1\na: 2', 'needs a file of settings'],
    ['e.json', '[1]', 'needs an object, got [1]'],
    ['f.yaml', 'a: &a [x]\nb: [*b]', 'needs a file of settings'],
    ['g.json', '{"recipe": {"pace": 1}}', 'g.json: recipe.pace needs only the fields'],
    ['h.json', '{"recipe": 3}', 'h.json: recipe needs an object, got 3'],
    ['i.json', '{"__proto__": {"x": 1}}', 'i.json: '],
  ])('%s with %j is refused', async (name, text, says) => {
    const path = await file(name, text);
    const read = async (): Promise<Settings> => withLayer(settings, await readSettings(path), path);
    await expect(read()).rejects.toThrow(UsageError);
    await expect(read()).rejects.toThrow(says);
  });
});

describe('autoassign config', () => {
  const config = async (...words: string[]) => {
    const tried = tryProgram(['config', ...words], (context, options) =>
      configVerb(options as unknown as ConfigOptions, context),
    );
    return tried.outcome;
  };

  it('prints the settings that are asked for, as YAML and as JSON', async () => {
    const [text, json] = [await config('recipe.rate=0.25'), await config('recipe.rate=0.25', '--json')];
    const { event, origin, ...printed } = JSON.parse(json.stdout) as Record<string, unknown>;
    expect(parse(text.stdout)).toEqual(printed);
    expect([event, origin]).toEqual(['config', { all: 'this project' }]);
    expect(text.stdout).toContain('# Values: this project.');
    expect(parse(text.stdout)).toMatchObject({ recipe: { rate: 0.25 } });
  });

  it('prints a JSON Schema that lets every field out but a kind', async () => {
    const { stdout } = await config('--schema');
    const required: unknown[] = [];
    JSON.parse(stdout, (key, value: unknown) => {
      if (key === 'required') required.push(value);
      return value;
    });
    expect(JSON.parse(stdout)).toMatchObject({ type: 'object', required: [] });
    for (const names of required) expect([[], ['kind']]).toContainEqual(names);
  });

  it.each([
    [['recipe.rat=1'], "Did you mean 'recipe.rate'?"],
    [['detector.head.groups=7'], 'detector.head.groups needs a divisor'],
    [['--preset', 'smal'], "Did you mean 'small'?"],
  ])('refuses %s in one line', async (words, says) => {
    const { exitCode, stderr } = await config(...words);
    expect(exitCode).toBe(2);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(says);
  });
});
