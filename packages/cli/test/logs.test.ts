// The logs that other tools read: TensorBoard's event files, mmdetection's lines, and the table of results.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { mmdetectionEvaluation, mmdetectionStep } from '../src/mmdetectionLog.ts';
import { resultsTable } from '../src/resultsTable.ts';
import { openTensorboard } from '../src/tensorboard.ts';
import { crc32c, tensorboardRecord } from '../src/tensorboardRecords.ts';
import { checksumBitByBit, readEvents } from './eventFile.ts';
import { testFolder } from './tinyRuns.ts';

describe('TensorBoard', () => {
  it('has the checksums of RFC 3720, and of any bytes those of the division', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    const law = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(crc32c(bytes)).toBe(checksumBitByBit(bytes));
    });
    fc.assert(law, { seed: 11, numRuns: 50 });
  });

  it('reads back every step, tag and number', () => {
    const numbers = fc.dictionary(fc.string({ minLength: 1 }), fc.float({ noNaN: true }));
    const law = fc.property(fc.nat(2 ** 31), numbers, (step, values) => {
      const [event, ...others] = readEvents(
        Buffer.from(tensorboardRecord({ kind: 'scalars', seconds: 1.5e9, step, values })),
      );
      expect(others).toEqual([]);
      expect(event).toMatchObject({ seconds: 1.5e9, step });
      expect(event?.values).toEqual(Object.entries(values).map(([tag, number]) => ({ tag, number })));
    });
    fc.assert(law, { seed: 12, numRuns: 100 });
  });

  it('names its version first, where a resumed process begins, and holds pictures', async () => {
    const place = await testFolder();
    const png = await sharp({ create: { width: 3, height: 2, channels: 3, background: '#123456' } })
      .png()
      .toBuffer();
    const log = openTensorboard(place.folder, 7);
    log.picture(8, 'picture', png, { width: 3, height: 2 });
    log.close();
    const [name = ''] = await readdir(place.folder);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    const [file, start, picture] = readEvents(await readFile(join(place.folder, name)));
    expect(file).toMatchObject({ version: 'brain.Event:2', step: 0 });
    expect(start).toMatchObject({ isStart: true, step: 8 });
    expect(picture?.values).toEqual([{ tag: 'picture', image: { height: 2, width: 3, png } }]);
    await place.remove();
  });
});

describe('the lines of mmdetection', () => {
  const record = {
    step: 12,
    event: 'step',
    loss: 3,
    positive: 1,
    negative: 1.5,
    center: 0.5,
    rate: 0.01,
    epoch: 1,
  };

  it('have the names of its losses, and count epochs and iterations from 1', () => {
    const line = mmdetectionStep({ ...record, gradientNorm: 9 }, 10, {
      time: 2,
      dataTime: 0.1,
      memory: 3 * 2 ** 20,
    });
    expect(line).toEqual({
      lr: 0.01,
      data_time: 0.1,
      grad_norm: 9,
      loss: 3,
      loss_pos: 1,
      loss_neg: 1.5,
      loss_center: 0.5,
      time: 2,
      epoch: 2,
      iter: 2,
      memory: 3,
      step: 12,
    });
    const last = mmdetectionStep({ ...record, step: 10 }, 10, { time: 2, dataTime: 0.1, memory: 0 });
    expect(last).toMatchObject({ epoch: 1, iter: 10 });
  });

  it('say -1 where there is nothing to find', () => {
    const metrics = { AP: 0.4, AP50: 0.6, AP75: 0.45, APs: null, APm: 0.4, APl: 0.5 };
    expect(mmdetectionEvaluation(5, metrics)).toEqual({
      'coco/bbox_mAP': 0.4,
      'coco/bbox_mAP_50': 0.6,
      'coco/bbox_mAP_75': 0.45,
      'coco/bbox_mAP_s': -1,
      'coco/bbox_mAP_m': 0.4,
      'coco/bbox_mAP_l': 0.5,
      step: 5,
    });
  });
});

it('the table has a row per evaluation, with the means of the losses since the one before', () => {
  const stepAt = (step: number): { step: number } & Record<string, unknown> => ({
    step,
    event: 'step',
    loss: step,
    positive: 2 * step,
    gradientNorm: 1,
    rate: 0.1 / step,
    epoch: 0,
  });
  const evaluated = { event: 'evaluation', ap: 0.5, ap50: 0.75, ap75: 0.25, perClass: {} };
  const records = [stepAt(1), stepAt(2), { step: 2, ...evaluated }, stepAt(3), { step: 3, ...evaluated }];
  expect(resultsTable(records)).toBe(
    [
      'step,epoch,loss,positive,gradientNorm,rate,ap,ap50,ap75',
      '2,1,1.5,3,1,0.05,0.5,0.75,0.25',
      `3,1,3,6,1,${0.1 / 3},0.5,0.75,0.25`,
      '',
    ].join('\n'),
  );
});
