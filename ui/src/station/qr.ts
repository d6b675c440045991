/** The dark squares of a QR picture: its size and one path per drawn path. Null where it is no such picture. */
export type Squares = { viewBox: string; paths: string[] };

/**
 * Reads the server's picture as data. It is drawn again from these shapes instead of being put into the page, so that
 * nothing in it can ever run or load, and so that it stays dark on white in every theme: a camera needs that.
 */
export function squares(svg: string): Squares | null {
  const read = new DOMParser().parseFromString(svg, 'image/svg+xml');
  const root = read.documentElement;
  if (root.localName !== 'svg') return null;
  const side = (name: string) => root.getAttribute(name) ?? '';
  const viewBox = root.getAttribute('viewBox') ?? `0 0 ${side('width')} ${side('height')}`;
  const paths = [...root.getElementsByTagName('path')].map((path) => path.getAttribute('d') ?? '').filter(Boolean);
  return /^[\d.\s-]+$/.test(viewBox) && paths.length > 0 ? { viewBox, paths } : null;
}
