import { serverArguments, THROWAWAY_SETTINGS } from './settings';

const PLACE = { cluster: '/data/cluster', clusterName: 'millrace-abc', port: 25432 };

describe('serverArguments', () => {
  it('names the folder first, since the postmaster is recognised by it', () => {
    expect(serverArguments(PLACE, {}).slice(0, 4)).toEqual(['-D', '/data/cluster', '-p', '25432']);
  });

  it('is durable by default', () => {
    const parameters = serverArguments(PLACE, {});
    expect(parameters).toContain('fsync=on');
    expect(parameters).toContain('synchronous_commit=on');
  });

  it('gives way to the settings of the caller', () => {
    const parameters = serverArguments(PLACE, { ...THROWAWAY_SETTINGS, max_connections: '7' });
    expect(parameters).toContain('fsync=off');
    expect(parameters).not.toContain('fsync=on');
    expect(parameters).toContain('max_connections=7');
  });

  it('listens on loopback alone, whatever the settings say', () => {
    const parameters = serverArguments(PLACE, { listen_addresses: '*', unix_socket_directories: '/tmp' });
    expect(parameters.filter((one) => /^(listen_addresses|unix_socket_directories)=/.test(one))).toEqual([
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
    ]);
  });
});
