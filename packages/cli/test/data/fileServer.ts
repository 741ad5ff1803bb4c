// A server on this machine that gives out one file, and misbehaves as a test asks it to.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What the server does with the next requests; what is absent it does as a good server. */
export interface ServerManner {
  content: Buffer;
  /** Whether parts can be asked for. */
  ranges?: boolean;
  /** Whether versions are told apart by entity tags. */
  tags?: boolean;
  /** Whether the length is announced. */
  lengths?: boolean;
  /** The connection breaks after as many bytes of an answer, for the next requests in turn. */
  breaks?: number[];
  /** After as many bytes nothing more comes, in the next answer. */
  stallsAfter?: number;
  /** The next answers have these status codes. */
  statuses?: number[];
}

/** A server with its manners, and what it was asked. */
export interface FileServer {
  readonly url: string;
  readonly manner: ServerManner;
  readonly requests: { readonly range: string | undefined; readonly ifRange: string | undefined }[];
}

function answer(request: IncomingMessage, response: ServerResponse, manner: ServerManner): void {
  const { content, ranges = true, tags = true, lengths = true } = manner;
  const status = manner.statuses?.shift();
  if (status !== undefined) {
    response.writeHead(status).end('no');
    return;
  }
  const tag = `"${createHash('md5').update(content).digest('hex')}"`;
  if (tags) response.setHeader('ETag', tag);
  const { range, 'if-range': ifRange } = request.headers;
  const isSame = ifRange === undefined || ifRange === tag;
  const start = ranges && isSame ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
  if (start > 0 && start >= content.length) {
    response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
    return;
  }
  const rest = content.subarray(start);
  if (start > 0)
    response.setHeader('Content-Range', `bytes ${start}-${content.length - 1}/${content.length}`);
  if (lengths) response.setHeader('Content-Length', rest.length);
  response.writeHead(start > 0 ? 206 : 200);
  const breaksAfter = manner.breaks?.shift();
  const { stallsAfter } = manner;
  if (stallsAfter !== undefined) {
    delete manner.stallsAfter;
    response.write(rest.subarray(0, stallsAfter));
  } else if (breaksAfter !== undefined && breaksAfter < rest.length) {
    response.write(rest.subarray(0, breaksAfter), () => response.destroy());
    if (breaksAfter === 0) response.destroy();
  } else response.end(rest);
}

/** A server on this machine that is closed when the test is over. */
export async function fileServer(manner: ServerManner): Promise<FileServer> {
  const requests: FileServer['requests'] = [];
  const server = createServer((request, response) => {
    const { range, 'if-range': ifRange } = request.headers;
    requests.push({ range, ifRange: typeof ifRange === 'string' ? ifRange : undefined });
    answer(request, response, manner);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/files/data.zip`, manner, requests };
}
