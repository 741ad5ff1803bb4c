// The arrays and kernels of GPU.js' mode webgl2: textures with one number or four per texel, and kernels that write several at once.
import type { Gpu, GpujsLibrary, GpuKernel, TextureConstructor, TextureHandle } from './gpujsTypes.ts';
import type { Handle, Host, Layout } from './host.ts';
import { createKernel, specialValues, tooLarge, usedKernel } from './hostKernels.ts';
import type { Contents } from './source.ts';
import { blockRows } from './source.ts';

/** Mode webgl2. */
export const openTextures = async ({ utils }: GpujsLibrary, gpu: Gpu): Promise<Host> => {
  interface TexturePlace extends Handle {
    /** Of blocks four, else one. */
    readonly places: readonly TextureHandle[];
  }
  const texturesOf = (handle: Handle): readonly TextureHandle[] => (handle as TexturePlace).places;
  const sizeFor = (length: number): Int32Array =>
    utils.getKernelTextureSize({ optimizeFloatMemory: false, precision: 'single' }, [length]);
  // first kernels bring the context, and the classes of the textures that kernels exchange
  const firstKernel = async (output: 'numbers' | 'texels'): Promise<GpuKernel> => {
    const result = output === 'numbers' ? 'x' : '[x, x, x, x]';
    const text = `function () {\nlet x = this.thread.x;\nreturn ${result};\n}`;
    const source = { text, functions: [], special: false, contents: { arrays: [], output } };
    const { kernel } = createKernel(gpu, source, { types: [], stay: true }, 1);
    await kernel.build();
    return kernel;
  };
  const first = await firstKernel('numbers');
  const firstOfTexels = await firstKernel('texels');
  const gl = first.context!;
  const kinds = {
    numbers: { kernel: first, internalFormat: gl.R32F, textureFormat: gl.RED },
    texels: { kernel: firstOfTexels, internalFormat: gl.RGBA32F, textureFormat: gl.RGBA },
  };
  const kindOf = ({ contents }: Layout) => (contents === 'numbers' ? kinds.numbers : kinds.texels);
  const countOf = ({ contents }: Layout): number => (contents === 'blocks' ? blockRows : 1);
  const mostTexels = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
  let live = 0;
  const bind = (texture: WebGLTexture): void => {
    gl.activeTexture(gl.TEXTURE15);
    gl.bindTexture(gl.TEXTURE_2D, texture);
  };
  const fill = (texture: WebGLTexture, layout: Layout, data: Float32Array | null): void => {
    const [width, height] = sizeFor(layout.length);
    const { internalFormat, textureFormat } = kindOf(layout);
    bind(texture);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, internalFormat, width!, height!, 0, textureFormat, gl.FLOAT, data);
  };
  const textureFor = (texture: WebGLTexture, layout: Layout): TextureHandle => {
    const kind = kindOf(layout);
    const { length } = layout;
    const Texture = kind.kernel.texture!.constructor as TextureConstructor;
    return new Texture({
      ...kind,
      texture,
      size: sizeFor(length),
      dimensions: [length, 1, 1],
      output: [length],
      context: gl,
    });
  };
  const allocateTexture = (layout: Layout): TextureHandle => {
    const texture = gl.createTexture();
    bind(texture);
    for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
      gl.texParameteri(gl.TEXTURE_2D, wrap, gl.CLAMP_TO_EDGE);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    fill(texture, layout, null);
    return textureFor(texture, layout);
  };
  const allocate = (length: number, contents: Contents = 'numbers'): TexturePlace => {
    if (Math.max(...sizeFor(length)) > mostTexels)
      throw tooLarge(length, `textures of ${mostTexels} by ${mostTexels} numbers`);
    const layout: Layout = { length, contents };
    live++;
    return { ...layout, places: Array.from({ length: countOf(layout) }, () => allocateTexture(layout)) };
  };
  // kernels are built for the sizes of textures, whatever they hold: one small texture of a kind stands for all
  const examplesOf = (layout: Layout): readonly TextureHandle[] => {
    const { texture } = kindOf(layout).kernel.texture!;
    return Array.from({ length: countOf(layout) }, () => textureFor(texture, layout));
  };
  const free = (handle: Handle): void => {
    live--;
    for (const { texture } of texturesOf(handle)) gl.deleteTexture(texture);
  };
  /** Makes a kernel write into textures from its next run on: the first as its own output, those of further rows as those of its functions. */
  const sendTo = (kernel: GpuKernel, [own, ...rows]: readonly TextureHandle[]): void => {
    kernel.texture = own!;
    kernel._textureSwitched = true;
    if (rows.length === 0) return;
    kernel.mappedTextures = rows;
    kernel.drawBuffersMap = [own!, ...rows].map((_, i) => gl.COLOR_ATTACHMENT0 + i);
    if (kernel.framebuffer == null) return;
    gl.bindFramebuffer(gl.FRAMEBUFFER, kernel.framebuffer);
    rows.forEach(({ texture }, i) => {
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT1 + i, gl.TEXTURE_2D, texture, 0);
    });
  };
  return {
    mode: 'webgl2',
    allocate,
    free,
    write: (handle, data) => {
      const [width, height] = sizeFor(handle.length);
      const numbers = new Float32Array(width! * height!);
      numbers.set(data);
      fill(texturesOf(handle)[0]!.texture, handle, numbers);
    },
    read: (handle) => texturesOf(handle)[0]!.toArray(),
    compile: async (text, lengths, length) => {
      const { arrays = [], output = 'numbers' } = text.contents ?? {};
      const examples = lengths.flatMap((n, i) => {
        const contents = arrays[i] ?? 'numbers';
        const type = `ArrayTexture(${contents === 'numbers' ? 1 : 4})`;
        return examplesOf({ length: n, contents }).map((texture) => ({ type, texture }));
      });
      const types = examples.map(({ type }) => type);
      const shortcut = createKernel(gpu, text, { types, stay: true }, length);
      const special = specialValues(text.special);
      const { kernel: built } = shortcut;
      sendTo(built, examplesOf({ length, contents: output }));
      built.build(...examples.map(({ texture }) => texture), ...special);
      const kernel = usedKernel(built, shortcut);
      if (typeof kernel === 'string') return kernel;
      return {
        run: (given, target) => {
          sendTo(kernel, texturesOf(target));
          kernel.run(...given.flatMap(texturesOf), ...special);
        },
        destroy: () => {
          kernel.texture = null;
          kernel.mappedTextures = null;
          kernel.destroy();
        },
      };
    },
    live: () => live,
    destroy: () => gpu.destroy(),
  };
};
