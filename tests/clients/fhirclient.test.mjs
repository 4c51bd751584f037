// fhirclient (SMART on FHIR JavaScript client) in a real browser: standalone launch, EHR launch, a patient's own record.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { chromium as browsers } from 'playwright-core';
import { startServer, startApp, module, chromium, machineToken, password } from './server.mjs';

const skip = chromium === undefined && 'no Chromium on this machine';
const script = '<!doctype html><meta charset="utf-8"><script src="/fhir-client.js"></script>';
const scope = 'launch launch/patient openid fhirUser offline_access patient/*.cruds user/*.cruds';

let server;
let app;
let other;
let browser;
let patient;
let practitioner;

before(async () => {
  if (skip) return;
  server = await startServer();
  app = await startApp({
    '/fhir-client.js': module('fhirclient/build/fhir-client.js'),
    '/launch.html': `${script}<script>
      const asked = new URL(location.href).searchParams;
      FHIR.oauth2.authorize({ clientId: 'smart-app', scope: '${scope}', redirectUri: 'index.html',
        iss: asked.get('iss'), launch: asked.get('launch') || undefined });</script>`,
    '/index.html': `${script}<title>app</title><script>
      FHIR.oauth2.ready().then((client) => { window.client = client; }, (error) => { window.failed = String(error); });
      </script>`,
  });
  other = await startApp({ '/': '<!doctype html><title>another site</title>' });
  const secret = server.addClient('seed', { grant_types: ['client_credentials'], scope: 'system/*.cruds' });
  const { access_token: token } = await machineToken(`${server.url}/oauth/token`, {
    client_id: 'seed', client_secret: secret, scope: 'system/*.cruds' });
  const create = async (resource) => {
    const response = await fetch(`${server.fhir}/${resource.resourceType}`, { method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json', Authorization: `Bearer ${token}` },
      body: JSON.stringify(resource) });
    assert.equal(response.status, 201);
    return (await response.json()).id;
  };
  patient = await create({ resourceType: 'Patient', name: [{ family: 'Okafor', given: ['Ada'] }],
    birthDate: '1950-03-01' });
  practitioner = await create({ resourceType: 'Practitioner', name: [{ family: 'Who' }] });
  for (let i = 0; i < 3; ++i) {
    await create({ resourceType: 'Observation', status: 'final', subject: { reference: `Patient/${patient}` },
      code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, effectiveDateTime: `2026-01-0${i + 1}` });
  }
  server.addUser('doc', 'emergency-clinician', `Practitioner/${practitioner}`);
  server.addUser('ada', 'patient', `Patient/${patient}`);
  server.addClient('smart-app', { token_endpoint_auth_method: 'none', redirect_uris: [`${app.url}/index.html`],
    grant_types: ['authorization_code', 'refresh_token'], scope });
  browser = await browsers.launch({ executablePath: chromium, args: ['--no-sandbox'] });
});
after(async () => {
  await browser?.close();
  await app?.stop();
  await other?.stop();
  await server?.stop();
});

async function open(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return page;
}

async function logIn(page, user) {
  await page.fill('input[name=user]', user);
  await page.fill('input[name=password]', password);
  await page.click('button');
}

async function callback(page) {
  await page.waitForURL(`${app.url}/index.html**`);
  await page.waitForFunction(() => window.client !== undefined || window.failed !== undefined);
  assert.equal(await page.evaluate(() => window.failed), undefined);
}

test('standalone launch: login, patient, agreement, callback; read, search, write, refresh', { skip }, async (t) => {
  const page = await open(t);
  await page.goto(`${app.url}/launch.html?iss=${encodeURIComponent(server.fhir)}`);
  await page.waitForSelector('input[name=password]');
  await logIn(page, 'doc');
  await page.fill('input[name=search]', 'okafor');
  await page.click('button:has-text("Search")');
  await page.click('button:has-text("Ada Okafor")');
  assert.match(await page.textContent('main'), /patient\/\*\.cruds/);
  await page.click('button:has-text("Allow")');
  await callback(page);
  const seen = await page.evaluate(async () => {
    const { client } = window;
    const read = await client.patient.read();
    const found = await client.request(`Observation?patient=${client.patient.id}&_count=2`,
      { pageLimit: 0, flat: true, resolveReferences: 'subject' });
    const own = await client.patient.request('Observation?_sort=-date', { flat: true });
    const made = await client.create({ resourceType: 'Observation', status: 'final', code: { text: 'by the app' },
      subject: { reference: `Patient/${client.patient.id}` } });
    const updated = await client.update({ ...read, gender: 'female' });
    const patched = await client.patch(`Patient/${client.patient.id}`,
      [{ op: 'add', path: '/active', value: true }], { signal: undefined });
    const missing = await client.request('Patient/none').then(() => 'found', (error) => error.message);
    const user = await client.user.read();
    const first = client.state.tokenResponse.access_token;
    await client.refresh();
    const etag = (await client.request({ url: `Patient/${client.patient.id}`, includeResponse: true }))
      .response.headers.get('ETag');
    return { read, found: found.length, own: own.length, made, updated, patched, missing, user,
      type: client.user.resourceType, refreshed: first !== client.state.tokenResponse.access_token, etag,
      id: client.patient.id };
  });
  assert.equal(seen.id, patient);
  assert.equal(seen.read.name[0].family, 'Okafor');
  assert.equal(seen.found, 3);
  assert.equal(seen.own, 3);
  assert.ok(seen.made.id);
  assert.equal(seen.updated.gender, 'female');
  assert.equal(seen.patched.active, true);
  assert.match(seen.missing, /404|not known|no Patient|Not Found/i);
  assert.equal(seen.type, 'Practitioner');
  assert.equal(seen.user.id, practitioner);
  assert.equal(seen.refreshed, true);
  assert.equal(seen.etag, 'W/"3"');
});

test('EHR launch: patient and person come from the session of the page', { skip }, async (t) => {
  const page = await open(t);
  await page.goto(`${server.url}/login`);
  await logIn(page, 'doc');
  await page.waitForURL(`${server.url}/`);
  const given = await page.evaluate(async (id) => {
    const response = await fetch('/api/v1/launch', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ patient: id, client: 'smart-app' }) });
    return { status: response.status, body: await response.json() };
  }, patient);
  assert.equal(given.status, 201);
  await page.goto(`${app.url}/launch.html?iss=${encodeURIComponent(given.body.iss)}&launch=${given.body.launch}`);
  await page.click('button:has-text("Allow")');
  await callback(page);
  const name = await page.evaluate(async () => (await window.client.patient.read()).name[0].family);
  assert.equal(name, 'Okafor');
});

test('a person who refuses sends the application an error, and gives nothing', { skip }, async (t) => {
  const page = await open(t);
  await page.goto(`${app.url}/launch.html?iss=${encodeURIComponent(server.fhir)}`);
  await logIn(page, 'ada');
  await page.click('button:has-text("Refuse")');
  await page.waitForURL(`${app.url}/index.html**`);
  await page.waitForFunction(() => window.failed !== undefined);
  assert.match(await page.evaluate(() => window.failed), /refused|denied/i);
});

test('a patient sees the own record and no other', { skip }, async (t) => {
  const page = await open(t);
  await page.goto(`${app.url}/launch.html?iss=${encodeURIComponent(server.fhir)}`);
  await logIn(page, 'ada');
  await page.click('button:has-text("Allow")');
  await callback(page);
  const seen = await page.evaluate(async () => {
    const { client } = window;
    const others = await client.request('Patient?_count=50', { flat: true });
    const write = await client.update({ ...(await client.patient.read()), gender: 'male' })
      .then(() => 'written', (error) => error.message);
    return { id: client.patient.id, others: others.map((each) => each.id), write };
  });
  assert.equal(seen.id, patient);
  assert.deepEqual(seen.others, [patient]);
  assert.notEqual(seen.write, 'written');
});

test('a page of a site without a registered application reads nothing, whoever is logged in', { skip }, async (t) => {
  const page = await open(t);
  await page.goto(`${server.url}/login`);
  await logIn(page, 'doc');
  await page.waitForURL(`${server.url}/`);
  const ask = (credentials) => page.evaluate(async ([url, how]) =>
    fetch(url, { credentials: how }).then((response) => response.status, () => 'blocked'),
    [`${server.fhir}/Patient`, credentials]);
  await page.goto(other.url);
  assert.equal(await ask('include'), 'blocked');
  assert.equal(await ask('omit'), 'blocked');
  // A registered application has the right to ask, but not in the name of whoever is logged in.
  await page.goto(`${app.url}/fhir-client.js`);
  assert.equal(await ask('include'), 401);
  assert.equal(await ask('omit'), 401);
});
