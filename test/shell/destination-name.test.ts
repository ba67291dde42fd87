import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findDestination } from '../../src/shell/destination-name.js';

const web1 = 'tcp 10.0.0.100:80 > 10.1.0.1:8080';
const web11 = 'tcp 10.0.0.100:80 > 10.1.0.11:8080';
const tls11 = 'tcp 10.0.0.100:443 > 10.1.0.11:8443';
const six = 'tcp [fd00::1]:80 > [fd00::11]:8080';
const mark = 'fwmark 7 inet6 > [fd00::12]:0';
const all = [web1, web11, tls11, six, mark];

describe('the name of a destination', () => {
	test('is its id, however it was quoted, spelt or eaten into by a shell', () => {
		for (const [text, id] of [
			[web11, web11],
			['  tcp   10.0.0.100:80 >10.1.0.11:8080 ', web11],
			['tcp 10.0.0.100:80 10.1.0.11:8080', web11],
			['tcp [FD00:0::1]:80 > [fd00:0:0::11]:8080', six],
			[mark, mark],
		] as const)
			assert.deepEqual(findDestination(text, all), { kind: 'one', id }, text);
	});

	test('is a part that only one has', () => {
		for (const [text, id] of [
			['10.1.0.11:8080', web11],
			['10.1.0.1', web1],
			['[fd00::11]:8080', six],
			['fd00::12', mark],
			['10.0.0.100:443', tls11],
			['fwmark 7', mark],
		] as const)
			assert.deepEqual(findDestination(text, all), { kind: 'one', id }, text);
	});

	test('that several have is none of them', () => {
		assert.deepEqual(findDestination('10.1.0.11', all), { kind: 'several', ids: [web11, tls11] });
		assert.deepEqual(findDestination('10.0.0.100:80', all), { kind: 'several', ids: [web1, web11] });
	});

	test('that is whole counts before those that it is a part of', () => {
		const [short, long] = ['fwmark 7 > 10.1.0.11:0', 'fwmark 7 > 10.1.0.11:0 x'];
		assert.deepEqual(findDestination(short, [long, short]), { kind: 'one', id: short });
	});

	test('is never a beginning of an address, and what is like it is offered', () => {
		assert.deepEqual(findDestination('10.1.0.1', [web11]), { kind: 'none', near: [web11] });
		assert.deepEqual(findDestination('10.1.0.12:8080', all), { kind: 'none', near: [web1] });
		assert.deepEqual(findDestination('tcp 10.0.0.100:81 > 10.1.0.11:8080', [web11, six]), {
			kind: 'none',
			near: [web11],
		});
		assert.deepEqual(findDestination('10.1.0.11:1', all), { kind: 'none', near: [web11, tls11] });
		assert.deepEqual(findDestination('nonsense', all), { kind: 'none', near: [] });
		assert.deepEqual(findDestination('', all), { kind: 'none', near: [] });
	});
});
