// @medplum/core: MedplumClient with its token and authorization URLs set to ours; a machine, and a person in a browser.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { ClientStorage, MedplumClient, MemoryStorage } from '@medplum/core';
import { chromium as browsers } from 'playwright-core';
import { startServer, startApp, module, chromium, pkce, password, machineToken } from './server.mjs';

const skip = chromium === undefined && 'no Chromium on this machine';

let server;
let secret;
let medplum;

const urls = () => ({ baseUrl: `${server.url}/`, fhirUrlPath: 'fhir/R4/', tokenUrl: `${server.url}/oauth/token`,
  authorizeUrl: `${server.url}/oauth/authorize?aud=${encodeURIComponent(server.fhir)}`,
  logoutUrl: `${server.url}/logout` });
const make = (more = {}) => new MedplumClient({ ...urls(), storage: new ClientStorage(new MemoryStorage()), ...more });

before(async () => {
  server = await startServer();
  secret = server.addClient('bot', { grant_types: ['client_credentials'], scope: 'system/*.cruds' });
});
after(() => server?.stop());

test('startClientLogin: a machine with a secret', async () => {
  medplum = make();
  await medplum.startClientLogin('bot', secret);
  assert.ok(medplum.getAccessToken());
  const byHeader = make({ authCredentialsMethod: 'header' });
  await byHeader.startClientLogin('bot', secret);
  assert.ok(byHeader.getAccessToken());
  await assert.rejects(make().startClientLogin('bot', 'wrong'));
});

test('setAccessToken: a token from elsewhere', async () => {
  const { access_token: token } = await machineToken(`${server.url}/oauth/token`, {
    client_id: 'bot', client_secret: secret });
  const other = make();
  other.setAccessToken(token);
  assert.equal((await other.search('Patient')).resourceType, 'Bundle');
  other.setAccessToken('x');
  await assert.rejects(other.search('Patient', 'name=y'));
});

test('create, read, update, patch, delete, versions', async () => {
  const made = await medplum.createResource({ resourceType: 'Patient', name: [{ family: 'Okafor', given: ['Ada'] }],
    identifier: [{ system: 'urn:mrn', value: '7' }] });
  assert.equal((await medplum.readResource('Patient', made.id)).name[0].family, 'Okafor');
  const updated = await medplum.updateResource({ ...made, gender: 'female' });
  assert.equal(updated.meta.versionId, '2');
  const patched = await medplum.patchResource('Patient', made.id, [
    { op: 'test', path: '/meta/versionId', value: '2' }, { op: 'add', path: '/active', value: true }]);
  assert.equal(patched.active, true);
  await assert.rejects(medplum.patchResource('Patient', made.id, [
    { op: 'test', path: '/meta/versionId', value: '2' }, { op: 'replace', path: '/active', value: false }]));
  assert.equal((await medplum.readHistory('Patient', made.id)).entry.length, 3);
  assert.equal((await medplum.readVersion('Patient', made.id, '1')).gender, undefined);
  assert.equal((await medplum.readReference({ reference: `Patient/${made.id}` })).id, made.id);
  const same = await medplum.createResourceIfNoneExist({ resourceType: 'Patient' }, 'identifier=urn:mrn|7');
  assert.equal(same.id, made.id);
  const put = await medplum.upsertResource({ resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value: '8' }] },
    'identifier=urn:mrn|8');
  assert.ok(put.id);
  await medplum.deleteResource('Patient', put.id);
  await assert.rejects(make({ accessToken: medplum.getAccessToken() }).readResource('Patient', put.id));
});

test('search: one, all, pages, includes, counts', async () => {
  for (const family of ['Searched', 'Searched', 'Searched'])
    await medplum.createResource({ resourceType: 'Patient', name: [{ family }] });
  assert.equal((await medplum.searchOne('Patient', 'family=Searched')).name[0].family, 'Searched');
  assert.equal((await medplum.searchResources('Patient', { family: 'Searched' })).length, 3);
  let pages = 0;
  for await (const page of medplum.searchResourcePages('Patient', 'family=Searched&_count=1')) pages += page.length;
  assert.equal(pages, 3);
  assert.equal((await medplum.search('Patient', 'family=Searched&_summary=count')).total, 3);
});

test('batch, validate, everything, GraphQL, terminology, automatic batches', async () => {
  const patient = await medplum.createResource({ resourceType: 'Patient', name: [{ family: 'Everything' }] });
  const answered = await medplum.executeBatch({ resourceType: 'Bundle', type: 'batch', entry: [
    { request: { method: 'GET', url: `Patient/${patient.id}` } },
    { request: { method: 'POST', url: 'Observation' }, resource: { resourceType: 'Observation', status: 'final',
      code: { text: 'x' }, subject: { reference: `Patient/${patient.id}` } } }] });
  assert.deepEqual(answered.entry.map((each) => each.response.status.slice(0, 3)), ['200', '201']);
  assert.equal((await medplum.validateResource({ resourceType: 'Patient' })).resourceType, 'OperationOutcome');
  await assert.rejects(medplum.createResource({ resourceType: 'Patient', gender: 'x' }), /gender/);
  assert.equal((await medplum.readPatientEverything(patient.id)).entry.length, 2);
  assert.equal((await medplum.readPatientSummary(patient.id)).type, 'document');
  const found = await medplum.graphql(`{ Patient(id: "${patient.id}") { id name { family } } }`);
  assert.equal(found.data.Patient.name[0].family, 'Everything');
  const expanded = await medplum.valueSetExpand({ url: 'http://hl7.org/fhir/ValueSet/administrative-gender' });
  assert.equal(expanded.expansion.contains.length, 4);
  const batched = make({ accessToken: medplum.getAccessToken(), autoBatchTime: 50 });
  const both = await Promise.all([batched.readResource('Patient', patient.id),
    batched.search('Patient', 'family=Everything')]);
  assert.equal(both[0].id, patient.id);
  assert.equal(both[1].entry.length, 1);
});

test('processCode: a person in a browser, by redirects', { skip }, async (t) => {
  const app = await startApp({
    '/medplum.mjs': module('@medplum/core/dist/esm/index.mjs'),
    '/': `<!doctype html><meta charset="utf-8"><script type="module">
      import { MedplumClient } from '/medplum.mjs';
      const medplum = new MedplumClient({ ...${JSON.stringify(urls())}, clientId: 'web' });
      try {
        await medplum.signInWithRedirect({ scope: 'openid fhirUser user/*.cruds offline_access' });
        if (medplum.getAccessToken()) window.medplum = medplum;
      } catch (error) { window.failed = String(error); }
      </script>` });
  t.after(() => app.stop());
  server.addUser('doc', 'emergency-clinician', 'Practitioner/1');
  server.addClient('web', { token_endpoint_auth_method: 'none', redirect_uris: [`${app.url}/`],
    grant_types: ['authorization_code', 'refresh_token'], scope: 'openid fhirUser user/*.cruds offline_access' });
  const browser = await browsers.launch({ executablePath: chromium, args: ['--no-sandbox'] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(`${app.url}/`);
  await page.fill('input[name=user]', 'doc');
  await page.fill('input[name=password]', password);
  await page.click('button');
  await page.click('button:has-text("Allow")');
  await page.waitForURL(`${app.url}/?code=**`);
  await page.waitForFunction(() => window.medplum !== undefined || window.failed !== undefined);
  assert.equal(await page.evaluate(() => window.failed), undefined);
  const seen = await page.evaluate(async () => {
    const { medplum } = window;
    const made = await medplum.createResource({ resourceType: 'Patient', name: [{ family: 'Browser' }] });
    const found = await medplum.searchOne('Patient', 'family=Browser');
    const before = medplum.getAccessToken();
    await medplum.refresh();
    return { made, found, renewed: before !== medplum.getAccessToken() };
  });
  assert.equal(seen.found.id, seen.made.id);
  assert.equal(seen.renewed, true);
});

test('a code counts once', async () => {
  const { verifier } = pkce();
  const web = make({ clientId: 'web' });
  await assert.rejects(web.processCode('no-such-code', { redirectUri: 'http://127.0.0.1/', codeVerifier: verifier }));
});
