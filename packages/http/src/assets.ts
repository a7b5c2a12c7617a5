import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';
import type { Exchange } from './exchange.ts';

/** Answers from the folder of built assets and says whether it did. */
export type Assets = (exchange: Pick<Exchange, 'request' | 'response' | 'head'>, pathname: string) => boolean;

/** Does the caller ask for a page by name? The wildcard that programs send does not count. */
export const wantsHtml = (request: IncomingMessage): boolean => (request.headers.accept ?? '').includes('text/html');

/**
 * Serves built web assets; a path that is no file gets `index.html` where a page is asked for.
 * Returns undefined where the folder holds no `index.html`.
 */
export const openAssets = (folder: string): Assets | undefined => {
  if (!existsSync(join(folder, 'index.html'))) return undefined;
  // The list of files is read once; names are looked up in it, so no path can leave the folder.
  const serve = sirv(folder, { etag: true, gzip: true, brotli: true });
  const attempt = (request: IncomingMessage, response: ServerResponse, target: string): boolean => {
    let missed = false;
    const original = request.url;
    request.url = target;
    serve(request, response, () => {
      missed = true;
    });
    if (original !== undefined) request.url = original;
    return !missed;
  };
  return ({ request, response, head }, pathname) => {
    head.applyTo(response);
    // Ranges of small assets help nobody, and malformed ones throw inside sirv.
    delete request.headers.range;
    // A file that vanished since the start must cost one answer, not the process.
    response.once('pipe', (source) => source.once('error', () => response.destroy()));
    // Vite puts a hash of the content into these names.
    response.setHeader(
      'Cache-Control',
      pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    );
    if (attempt(request, response, pathname)) return true;
    response.setHeader('Cache-Control', 'no-cache');
    if (wantsHtml(request) && attempt(request, response, '/')) return true;
    response.setHeader('Cache-Control', 'no-store');
    return false;
  };
};
