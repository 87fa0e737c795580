// Reads docs/asyncapi.yaml with the reference parser; every error is printed, and the exit status is 1 then.
//
//     node validate.mjs ../../docs/asyncapi.yaml

import { readFile } from 'node:fs/promises';
import { Parser } from '@asyncapi/parser';

const ERROR = 0; // Of the parser's severities the gravest; the others are advice.
const [path] = process.argv.slice(2);

const { document, diagnostics } = await new Parser().parse(await readFile(path, 'utf8'));
const errors = diagnostics.filter(({ severity }) => severity === ERROR);
for (const { message, range, path: where } of errors) {
  console.error(`${path}:${range.start.line + 1}: ${where.join('.')}: ${message}`);
}
if (document === undefined || errors.length > 0) process.exit(1);
console.log(`${document.allMessages().length} messages, ${document.allOperations().length} operations: valid`);
