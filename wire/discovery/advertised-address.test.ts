import { expect, it } from 'vitest';
import { advertisedAddress, withPort } from './advertised-address.ts';

it('takes the place of "everywhere" with how NATS sees this machine', () => {
  expect(advertisedAddress('0.0.0.0:50051', { ownHost: '10.0.0.7' })).toBe('10.0.0.7:50051');
  expect(advertisedAddress('[::]:50051', { ownHost: 'fd00::7' })).toBe('[fd00::7]:50051');
  expect(advertisedAddress('orator:50051', { ownHost: '10.0.0.7' })).toBe('orator:50051');
  expect(advertisedAddress('0.0.0.0:50051', { ownHost: '10.0.0.7' }, 'gpu-7:31051')).toBe('gpu-7:31051');
  expect(advertisedAddress('127.0.0.1:50051', { ownHost: '10.0.0.7' }, 'gpu-7:0')).toBe('gpu-7:50051');
  expect(withPort('[fd00::7]:50051', 9464)).toBe('[fd00::7]:9464');
});
