// Every example of protocol.md and of asyncapi.yaml meets the schema of its message, and has no field that the schema
// does not describe; every message has an example in both; error and close codes are the same in both.
//
//     node examples.mjs ../../docs

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv/dist/2019.js';

const [docs] = process.argv.slice(2);
const page = await readFile(path.join(docs, 'protocol.md'), 'utf8');
const { document } = await new Parser().parse(await readFile(path.join(docs, 'asyncapi.yaml'), 'utf8'));
let failures = 0;

function report(what) {
  failures += 1;
  console.error(what);
}

// What describes no further fields has none: receivers ignore them, but our examples are to show what there is.
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return schema.type === 'object' ? { additionalProperties: false, ...copy } : copy;
}

// Sides as protocol.md writes them. Only a request is received.
const received = new Set(document.operations().filterByReceive().flatMap((operation) =>
  operation.messages().all().map((message) => message.id())));
const ajv = new Ajv({ strict: false, allErrors: true });
const messages = new Map(document.channels().all().flatMap((channel) => channel.messages().all()).map((message) => {
  const schema = closed(message.payload().json());
  const key = `${received.has(message.id()) ? 'C' : 'S'} ${message.name()}`;
  return [key, { validate: ajv.compile(schema), schema, examples: message.examples().all(), shown: 0 }];
}));

function check(side, text, payload, where) {
  const message = messages.get(`${side} ${payload.type}`);
  if (message === undefined) return report(`${where}: no such message: ${text}`);
  message.shown += where === 'protocol.md' ? 1 : 0;
  if (!message.validate(payload)) report(`${where}: ${ajv.errorsText(message.validate.errors)}: ${text}`);
}

function isSame(what, left, right) {
  const [a, b] = [left, right].map((list) => [...list].sort().join(' '));
  if (a !== b) report(`${what}: protocol.md has ${a}; asyncapi.yaml has ${b}`);
}

// The first cells of the table under a heading.
function cells(heading) {
  const lines = page.slice(page.indexOf(heading)).split('\n').slice(2);
  return lines.slice(0, lines.findIndex((line) => !line.startsWith('|'))).map((line) => line.split('|')[1]).join(' ');
}

const fenced = page.split(/^```.*$/m).filter((_, index) => index % 2 === 1).join('\n');
for (const [, side, text] of fenced.matchAll(/^([CS]) (.*)$/gm)) check(side, text, JSON.parse(text), 'protocol.md');
for (const [key, { shown, examples }] of messages) {
  if (shown === 0) report(`protocol.md: no example of ${key}`);
  if (examples.length === 0) report(`asyncapi.yaml: no example of ${key}`);
  for (const example of examples) {
    check(key[0], JSON.stringify(example.payload()), example.payload(), 'asyncapi.yaml');
  }
}

const errorCodes = messages.get('S error').schema.properties.code.enum;
isSame('error codes', cells('| `code` | when |').match(/(?<=`)[a-z_]+(?=`)/g), errorCodes);
const closeCodes = document.channels().all()[0].json()['x-close-codes'];
isSame('close codes', cells('| code | meaning |').match(/\d+/g), closeCodes.map(({ code }) => String(code)));

if (failures > 0) process.exit(1);
console.log(`${messages.size} messages: every example holds`);
