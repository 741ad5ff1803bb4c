// Flat indices taken apart, and positions put together, as WGSL over i32.

/** Statements that name the coordinates of a flat index, `i0` outermost, as `<prefix>0`, `<prefix>1`, ... */
export const coordinates = (index: string, extents: readonly number[], prefix: string): readonly string[] => {
  const last = extents.length - 1;
  const names = [...extents.keys()].reverse();
  return names.flatMap((d) => {
    const left = d === last ? index : `${prefix}Left${d + 1}`;
    if (d === 0) return [`let ${prefix}0 = ${left};`];
    return [
      `let ${prefix}${d} = ${left} % ${extents[d]};`,
      ...(`${prefix}Left${d}` === left ? [] : [`let ${prefix}Left${d} = ${left} / ${extents[d]};`]),
    ];
  });
};

/** The sum of coordinates times strides, and an offset. */
export const position = (strides: readonly number[], offset: number, prefix: string): string => {
  const terms = strides.flatMap((stride, d) => {
    if (stride === 0) return [];
    return [stride === 1 ? `${prefix}${d}` : `${prefix}${d} * ${stride}`];
  });
  if (offset !== 0 || terms.length === 0) terms.push(String(offset));
  return terms.join(' + ').replaceAll('* -', '* -');
};
