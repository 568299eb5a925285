// Verifies API keys of prepared data, for `cargo xtask bench`: `verify_api_key.c`, in C#.

using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;

static class VerifyApiKey
{
    [DllImport("keyplate")]
    static extern int keyplate_verify_api_key(IntPtr kp, [MarshalAs(UnmanagedType.LPUTF8Str)] string credential, UIntPtr length,
        out IntPtr result, out IntPtr error);

    static int Main(string[] arguments)
    {
        string folder = arguments[0];
        string[] secrets = File.ReadAllLines(folder + "/secrets");
        using (var own = new Own())
        {
            IntPtr config = own.Out(Native.keyplate_config_free,
                (out IntPtr r, out IntPtr e) => Native.keyplate_config_new(folder + "/id.db", "https://media.example", out r, out e));
            IntPtr kp = own.Out(Native.keyplate_free, (out IntPtr r, out IntPtr e) => Native.keyplate_open(config, out r, out e));
            for (string line; (line = Console.ReadLine()) != null;)
            {
                string[] order = line.Split(' ');
                int from = int.Parse(order[0]), count = int.Parse(order[1]);
                var watch = Stopwatch.StartNew();
                for (int n = from; n < from + count; n++)
                {
                    string secret = secrets[n % secrets.Length];
                    IntPtr who, error;
                    if (keyplate_verify_api_key(kp, secret, Native.Length(secret), out who, out error) != 0) return 1;
                    Native.keyplate_authenticated_free(who);
                }
                Console.WriteLine(watch.ElapsedTicks * (1000000000L / Stopwatch.Frequency));
            }
        }
        return 0;
    }
}
