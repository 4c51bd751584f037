// fhir-kit-client: a machine with private_key_jwt (SMART Backend Services), and all interactions that it has.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Client, CapabilityTool } from 'fhir-kit-client';
import { startServer, makeKey, assertion, machineToken } from './server.mjs';

let server;
let client;
const key = makeKey();

before(async () => {
  server = await startServer();
  server.addClient('backend', {
    grant_types: ['client_credentials'], token_endpoint_auth_method: 'private_key_jwt', jwks: key.jwks,
    scope: 'system/*.cruds' });
  client = new Client({ baseUrl: server.fhir });
});
after(() => server?.stop());

const fails = async (status, promise) => {
  const error = await promise.then(() => assert.fail(`no error ${status}`), (caught) => caught);
  assert.equal(error.response?.status, status, String(error));
  return error.response.data;
};

test('without a token everything but metadata is refused', async () => {
  const outcome = await fails(401, client.read({ resourceType: 'Patient', id: '1' }));
  assert.equal(outcome.resourceType, 'OperationOutcome');
  assert.equal((await client.capabilityStatement()).fhirVersion, '4.0.1');
});

test('the CapabilityStatement alone says where to get a token', async () => {
  const statement = await client.capabilityStatement();
  const security = statement.rest[0].security;
  assert.equal(security.cors, true);
  assert.equal(security.service[0].coding[0].code, 'SMART-on-FHIR');
  const uris = Object.fromEntries(security.extension[0].extension.map((each) => [each.url, each.valueUri]));
  assert.equal(uris.token, `${server.url}/oauth/token`);
  assert.equal(uris.authorize, `${server.url}/oauth/authorize`);
});

test('smartAuthMetadata, then a token by a signed assertion', async () => {
  const { authorizeUrl, tokenUrl } = await client.smartAuthMetadata();
  assert.equal(String(authorizeUrl), `${server.url}/oauth/authorize`);
  const given = await machineToken(tokenUrl, {
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(key, 'backend', String(tokenUrl)) });
  assert.equal(given.token_type, 'Bearer');
  client.bearerToken = given.access_token;
});

test('create, read, vread, update, patch, delete, history', async () => {
  const made = await client.create({ resourceType: 'Patient', body: {
    resourceType: 'Patient', active: true, name: [{ family: 'Okafor', given: ['Ada'] }], birthDate: '1950-03-01' } });
  assert.ok(made.id);
  const read = await client.read({ resourceType: 'Patient', id: made.id });
  assert.equal(Client.httpFor(read).response.headers.get('etag'), 'W/"1"');
  assert.equal(Client.httpFor(read).response.headers.get('cache-control'), 'no-store');
  const updated = await client.update({ resourceType: 'Patient', id: made.id, body: { ...read, gender: 'female' } });
  assert.equal(updated.meta.versionId, '2');
  await fails(412, client.update({ resourceType: 'Patient', id: made.id, body: read,
    options: { headers: { 'If-Match': 'W/"1"' } } }));
  const patched = await client.patch({ resourceType: 'Patient', id: made.id,
    jsonPatch: [{ op: 'replace', path: '/active', value: false }] });
  assert.equal(patched.active, false);
  assert.equal((await client.vread({ resourceType: 'Patient', id: made.id, version: '1' })).gender, undefined);
  const history = await client.history({ resourceType: 'Patient', id: made.id });
  assert.equal(history.entry.length, 3);
  assert.ok((await client.history({ resourceType: 'Patient' })).entry.length >= 3);
  assert.ok((await client.history()).entry.length >= 3);
  const conditional = await client.update({ resourceType: 'Patient', searchParams: { identifier: 'urn:mrn|77' },
    body: { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value: '77' }] } });
  assert.ok(conditional.id);
  await client.delete({ resourceType: 'Patient', id: made.id });
  await fails(410, client.read({ resourceType: 'Patient', id: made.id }));
});

test('search: by type, by POST, in a compartment, in all types, page by page', async () => {
  const patient = await client.create({ resourceType: 'Patient', body: {
    resourceType: 'Patient', name: [{ family: 'Searched' }] } });
  for (let i = 0; i < 5; ++i) {
    await client.create({ resourceType: 'Observation', body: {
      resourceType: 'Observation', status: 'final', subject: { reference: `Patient/${patient.id}` },
      code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, valueQuantity: { value: 60 + i, unit: '/min',
        system: 'http://unitsofmeasure.org', code: '/min' },
      effectiveDateTime: `2026-01-0${i + 1}T08:00:00Z` } });
  }
  const found = await client.search({ resourceType: 'Patient', searchParams: { family: 'Searched', _total: 'accurate' } });
  assert.equal(found.total, 1);
  const posted = await client.search({ resourceType: 'Patient', searchParams: { family: 'Searched' },
    options: { postSearch: true } });
  assert.equal(posted.entry[0].resource.id, patient.id);
  const inside = await client.search({ compartment: { resourceType: 'Patient', id: patient.id },
    resourceType: 'Observation', searchParams: { _sort: '-date', _count: '2' } });
  assert.equal(inside.entry.length, 2);
  const seen = inside.entry.map((each) => each.resource.valueQuantity.value);
  for (let page = await client.nextPage({ bundle: inside }); page; page = await client.nextPage({ bundle: page }))
    seen.push(...page.entry.map((each) => each.resource.valueQuantity.value));
  assert.deepEqual(seen, [64, 63, 62, 61, 60]);
  const everywhere = await client.search({ searchParams: { _type: 'Patient,Observation', _count: '50' } });
  assert.ok(everywhere.entry.length >= 6);
  const included = await client.search({ resourceType: 'Observation',
    searchParams: { patient: patient.id, _include: 'Observation:subject' } });
  const resolved = await client.resolve({ reference: `Patient/${patient.id}`, context: included });
  assert.equal(resolved.name[0].family, 'Searched');
});

test('batch, transaction, operations', async () => {
  const patient = { resourceType: 'Patient', name: [{ family: 'Bundled' }] };
  const transaction = await client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry: [
    { fullUrl: 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a', resource: patient,
      request: { method: 'POST', url: 'Patient' } },
    { resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' },
      subject: { reference: 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a' } },
      request: { method: 'POST', url: 'Observation' } }] } });
  assert.deepEqual(transaction.entry.map((each) => each.response.status.slice(0, 3)), ['201', '201']);
  const id = transaction.entry[0].response.location.match(/Patient\/([^/]+)/)[1];
  const batch = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry: [
    { request: { method: 'GET', url: `Patient/${id}` } }, { request: { method: 'GET', url: 'Patient/none' } }] } });
  assert.deepEqual(batch.entry.map((each) => each.response.status.slice(0, 3)), ['200', '404']);
  const everything = await client.operation({ name: 'everything', resourceType: 'Patient', id, method: 'GET' });
  assert.deepEqual(everything.entry.map((each) => each.resource.resourceType).sort(), ['Observation', 'Patient']);
  const outcome = await client.operation({ name: '$validate', resourceType: 'Patient', input: patient });
  assert.equal(outcome.resourceType, 'OperationOutcome');
  const expanded = await client.operation({ name: 'expand', resourceType: 'ValueSet', method: 'GET',
    input: { url: 'http://hl7.org/fhir/ValueSet/administrative-gender' } });
  assert.equal(expanded.expansion.contains.length, 4);
});

test('the CapabilityTool agrees with what is served', async () => {
  const tool = new CapabilityTool(await client.capabilityStatement());
  assert.ok(tool.resourceCan('Patient', 'read'));
  assert.ok(tool.serverCan('transaction'));
  assert.ok(tool.resourceCan('Observation', 'history-instance'));
});

test('an assertion counts once, and a stranger key never', async () => {
  const { tokenUrl } = await client.smartAuthMetadata();
  const fields = { scope: 'system/*.rs',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(key, 'backend', String(tokenUrl)) };
  await machineToken(tokenUrl, fields);
  await assert.rejects(machineToken(tokenUrl, fields), /invalid_client/);
  await assert.rejects(machineToken(tokenUrl, { ...fields,
    client_assertion: assertion(makeKey(), 'backend', String(tokenUrl)) }), /invalid_client/);
});
