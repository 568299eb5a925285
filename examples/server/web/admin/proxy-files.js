// The files of proxies that ask this server before they let somebody through to a service. docs/proxy.md prints them for a
// service called `films`, and its tests run those; a test compares them with these.

/**
 * `hosts` are the service's, `identity` and `authority` this server's name without and with its port, `keyplate` and `address`
 * where this server and the application listen.
 */
export function proxyFiles({ slug, hosts, identity, authority, keyplate, address }) {
  const rule = hosts.map((host) => `Host(\`${host}\`)`).join(" || ");
  // In a rule of Traefik "and" binds more than "or".
  const among = hosts.length > 1 ? `(${rule})` : rule;
  return {
    nginx: {
      once: `# /etc/nginx/conf.d/keyplate.conf

# Our cookies are not for services. Each step removes one; if there are still some after three, no cookie is passed on.
map $http_cookie $keyplate_cookies_1 {
    "~^(?<keyplate_a>|.*; *)(__Host-)?keyplate-[a-z]+=[^;]*; *(?<keyplate_b>.*)$" $keyplate_a$keyplate_b;
    "~^(?:(?<keyplate_c>.*?); *)?(__Host-)?keyplate-[a-z]+=[^;]*$" $keyplate_c;
    default $http_cookie;
}
map $keyplate_cookies_1 $keyplate_cookies_2 {
    "~^(?<keyplate_d>|.*; *)(__Host-)?keyplate-[a-z]+=[^;]*; *(?<keyplate_e>.*)$" $keyplate_d$keyplate_e;
    "~^(?:(?<keyplate_f>.*?); *)?(__Host-)?keyplate-[a-z]+=[^;]*$" $keyplate_f;
    default $keyplate_cookies_1;
}
map $keyplate_cookies_2 $keyplate_cookies_3 {
    "~^(?<keyplate_g>|.*; *)(__Host-)?keyplate-[a-z]+=[^;]*; *(?<keyplate_h>.*)$" $keyplate_g$keyplate_h;
    "~^(?:(?<keyplate_i>.*?); *)?(__Host-)?keyplate-[a-z]+=[^;]*$" $keyplate_i;
    default $keyplate_cookies_2;
}
map $keyplate_cookies_3 $keyplate_cookies {
    "~(^|; *)(__Host-)?keyplate-" "";
    default $keyplate_cookies_3;
}

# A WebSocket's request says so to the service too.
map $http_upgrade $keyplate_connection {
    "" close;
    default upgrade;
}

server {
    listen 443 ssl;
    server_name ${identity};
    ssl_certificate /etc/nginx/tls/${identity}.pem;
    ssl_certificate_key /etc/nginx/tls/${identity}.key;

    location / {
        proxy_pass http://${keyplate};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
}
`,
      each: `# /etc/nginx/conf.d/${slug}.conf
server {
    listen 443 ssl;
    server_name ${hosts.join(" ")};
    ssl_certificate /etc/nginx/tls/${hosts[0]}.pem;
    ssl_certificate_key /etc/nginx/tls/${hosts[0]}.key;

    location / {
        auth_request /.keyplate/question;
        auth_request_set $keyplate_user $upstream_http_remote_user;
        auth_request_set $keyplate_name $upstream_http_remote_name;
        auth_request_set $keyplate_email $upstream_http_remote_email;
        auth_request_set $keyplate_groups $upstream_http_remote_groups;
        auth_request_set $keyplate_token $upstream_http_remote_token;
        auth_request_set $keyplate_sign_in $upstream_http_x_redirect;
        error_page 401 = @keyplate_sign_in;
        error_page 403 = @keyplate_refused;

        proxy_pass http://${address};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $keyplate_connection;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Cookie $keyplate_cookies;
        proxy_set_header Remote-User $keyplate_user;
        proxy_set_header Remote-Name $keyplate_name;
        proxy_set_header Remote-Email $keyplate_email;
        proxy_set_header Remote-Groups $keyplate_groups;
        proxy_set_header Remote-Token $keyplate_token;
    }

    location /.keyplate/ {
        proxy_pass http://${keyplate};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
    }

    location = /.keyplate/question {
        internal;
        proxy_pass http://${keyplate}/api/forward-auth/nginx/${slug};
        proxy_method GET;
        proxy_pass_request_body off;
        proxy_cache off;
        proxy_buffers 8 16k;
        proxy_buffer_size 16k;
        proxy_set_header Content-Length "";
        proxy_set_header Host ${authority};
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
        proxy_set_header X-Forwarded-For $remote_addr;
    }

    # Who does not want a page gets no address to go to.
    location @keyplate_sign_in {
        if ($keyplate_sign_in) {
            return 302 $keyplate_sign_in;
        }
        return 401;
    }

    # nginx drops the page that says why, so it is asked for once more.
    location @keyplate_refused {
        rewrite ^ /api/forward-auth/nginx/${slug}? break;
        proxy_pass http://${keyplate};
        proxy_method GET;
        proxy_pass_request_body off;
        proxy_cache off;
        proxy_set_header Content-Length "";
        proxy_set_header Host ${authority};
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
        proxy_set_header X-Forwarded-For $remote_addr;
    }
}
`,
    },
    caddy: {
      once: `# /etc/caddy/Caddyfile
${identity} {
    reverse_proxy ${keyplate}
}
`,
      each: `${hosts.join(", ")} {
    route {
        # Nobody names themselves.
        request_header -Remote-*

        reverse_proxy /.keyplate/* ${keyplate}

        forward_auth ${keyplate} {
            uri /api/forward-auth/caddy/${slug}
            header_up Host ${authority}
            copy_headers Remote-User Remote-Name Remote-Email Remote-Groups Remote-Token
        }

        # Our cookies are not for services.
        request_header Cookie "(^|; *)(__Host-)?keyplate-[a-z]+=[^;]*" ""
        request_header Cookie "^; *" ""

        reverse_proxy ${address}
    }
}
`,
    },
    traefik: {
      once: `# /etc/traefik/dynamic/keyplate.yml
http:
  routers:
    keyplate:
      rule: Host(\`${identity}\`)
      entryPoints: [websecure]
      service: keyplate
      tls: {}
  services:
    keyplate:
      loadBalancer:
        servers:
          - url: http://${keyplate}
        healthCheck:
          path: /healthz
`,
      each: `# /etc/traefik/dynamic/${slug}.yml
http:
  routers:
    ${slug}:
      rule: ${rule}
      entryPoints: [websecure]
      middlewares: [${slug}-keyplate]
      service: ${slug}
      tls: {}
    ${slug}-keyplate:
      rule: ${among} && PathPrefix(\`/.keyplate/\`)
      entryPoints: [websecure]
      service: keyplate
      tls: {}
  middlewares:
    ${slug}-keyplate:
      forwardAuth:
        address: http://${keyplate}/api/forward-auth/traefik/${slug}
        trustForwardHeader: false
        authResponseHeaders:
          - Remote-User
          - Remote-Name
          - Remote-Email
          - Remote-Groups
          - Remote-Token
          - Cookie
  services:
    ${slug}:
      loadBalancer:
        servers:
          - url: http://${address}
`,
    },
  };
}
