// Node without its optional package: the error says what to install.
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.doUnmock('sharp');
  vi.resetModules();
});

test('without sharp, decoding and encoding name the package and the command', async () => {
  vi.doMock('sharp', () => {
    throw new Error("Cannot find package 'sharp'");
  });
  const header = { format: 'png', width: 1, height: 1, isCmyk: false } as const;
  const { platform } = await import('../../src/platform/node/index.ts');
  await expect(platform.decode(new Uint8Array(4), header)).rejects.toThrow(
    /needs the optional package sharp, got ".+"\. Run: npm install sharp$/,
  );
  const pixels = { width: 1, height: 1, channels: 3, data: new Uint8Array(3) } as const;
  await expect(platform.encodeJpeg(pixels, 90)).rejects.toThrow(/npm install sharp/);
});
