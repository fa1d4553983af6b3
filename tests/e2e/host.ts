import { createServer, type Server } from 'node:http';
import { readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
};

/** A plain host of static files below a sub-path, without a special header. */
export class Host {
  folder: string;
  asked: string[] = [];
  private readonly change: (path: string, file: Buffer) => Buffer | string;
  private server: Server | null = null;

  /** @param change what this host does to a file before it hands it out */
  constructor(folder: string, change = (_path: string, file: Buffer): Buffer | string => file) {
    this.folder = folder;
    this.change = change;
  }

  /** Returns the address of the page. */
  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      const path = new URL(request.url!, 'http://host').pathname.replace(/^\/deep\/down\//, '');
      this.asked.push(path);
      const file = join(this.folder, path === '' ? 'index.html' : path);
      const found = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
      response.writeHead(found ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'x/y' });
      response.end(found ? this.change(path, readFileSync(file)) : 'not here');
    });
    await new Promise<void>((done) => this.server!.listen(0, 'localhost', done));
    return `http://localhost:${(this.server.address() as AddressInfo).port}/deep/down/`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((done) => this.server?.close(done));
    this.server = null;
  }
}

/** Another origin, which would answer anybody and writes down who asked. */
export class Stranger {
  readonly asked: string[] = [];
  private readonly server = createServer((request, response) => {
    this.asked.push(request.url!);
    response.writeHead(200, { 'access-control-allow-origin': '*', 'content-type': 'text/plain' });
    response.end('welcome');
  });

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
