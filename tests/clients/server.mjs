// A server of its own on a throwaway folder, with people and applications, made as an operator makes them.
import { spawn, execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { generateKeyPairSync, sign, randomUUID, createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync, rmSync, readFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import net from 'node:net';
import { lend_database } from '../support/database.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const binary = process.env.MYDR24_BINARY ?? join(here, '../../build/release/mydr24');
export const password = 'correct horse battery';

async function freePorts(count) {
  const held = [];
  for (let i = 0; i < count; ++i) {
    const one = net.createServer();
    await new Promise((done) => one.listen(0, '127.0.0.1', done));
    held.push(one);
  }
  const ports = held.map((one) => one.address().port);
  await Promise.all(held.map((one) => new Promise((done) => one.close(done))));
  return ports;
}

export async function startServer() {
  const folder = mkdtempSync(join(tmpdir(), 'mydr24-clients-'));
  const [general, admin, emergency] = await freePorts(3);
  const settings = join(folder, 'mydr24.toml');
  const data = join(folder, 'data');
  const database = lend_database();
  writeFileSync(settings, `[server]
listen = "127.0.0.1:${general}"
admin = "127.0.0.1:${admin}"
emergency_listen = "127.0.0.1:${emergency}"
[store]
path = "${data}"
${database ? `url = "${database}"` : ''}
[access]
mode = "on"
[log]
level = "warn"
`);
  const child = spawn(binary, ['serve', '--config', settings], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const out of [child.stdout, child.stderr]) out.on('data', (text) => { said += text; });
  const url = `http://127.0.0.1:${general}`;
  const ended = new Promise((done) => child.on('exit', done));
  for (let i = 0; ; ++i) {
    try {
      if ((await fetch(`http://127.0.0.1:${admin}/readyz`)).ok) break;
    } catch { /* not yet */ }
    if (i === 200 || child.exitCode !== null) throw new Error(`the server did not start:\n${said}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  const command = (args, input = '') =>
    execFileSync(binary, [...args, '--config', settings], { input, encoding: 'utf8' });
  return {
    url,
    fhir: `${url}/fhir/R4`,
    said: () => said,
    addUser(name, role, fhirUser) {
      command(['user', 'add', name, '--role', role, '--fhir-user', fhirUser], `${password}\n`);
    },
    // Metadata as in RFC 7591. Answers its secret, if it has one.
    addClient(id, metadata) {
      const file = join(folder, `${id}.json`);
      writeFileSync(file, JSON.stringify({ client_name: id, ...metadata }));
      const answer = JSON.parse(command(['client', 'add', id, '--file', file, '--json']));
      return answer.client_secret;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// Files of one folder or of memory, as the web server of an application gives them out.
export async function startApp(files) {
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript' };
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://app').pathname;
    const found = files[path];
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const body = typeof found === 'string' ? found : readFileSync(found.file);
    response.writeHead(200, { 'Content-Type': types[path.slice(path.lastIndexOf('.'))] ?? 'text/html' }).end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }),
  };
}

export function module(path) { return { file: join(here, 'node_modules', path) }; }

export const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

// ---- a machine's key and its assertion (RFC 7523)

export function makeKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const kid = randomUUID();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES384', use: 'sig' };
  return { jwks: { keys: [jwk] }, kid, privateKey };
}

export function assertion({ privateKey, kid }, clientId, audience) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: 'ES384', typ: 'JWT', kid })}.${part({
    iss: clientId, sub: clientId, aud: audience, iat: now, exp: now + 240, jti: randomUUID() })}`;
  const signature = sign('sha384', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

export async function machineToken(tokenUrl, fields) {
  const response = await fetch(tokenUrl, {
    method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', ...fields }) });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}
