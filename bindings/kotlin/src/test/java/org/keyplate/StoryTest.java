package org.keyplate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole story of the README in plain Java: set-up, invitations, passkeys, services, errors. */
class StoryTest {
    private static final String ORIGIN = "https://media.example";

    @TempDir Path folder;

    private Config.Builder config() {
        return Config.builder(folder.resolve("id.db").toString(), ORIGIN);
    }

    /** What a page does with the options, by the software authenticator: {@code register} or {@code authenticate}. */
    private String browser(String action, String options) throws IOException, InterruptedException {
        Path state = folder.resolve("authenticator.json");
        String program = System.getenv("KEYPLATE_TESTKIT");
        assertNotNull(program, "KEYPLATE_TESTKIT names the program keyplate-testkit");
        if (Files.notExists(state)) {
            run("", program, "new", "--state", state.toString());
        }
        return run(options, program, action, "--state", state.toString(), "--origin", ORIGIN);
    }

    private String run(String input, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (var out = process.getOutputStream()) {
            out.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        assertEquals(0, process.waitFor());
        return answer;
    }

    @Test
    void theFirstAdministrator() throws KeyplateException {
        try (Keyplate keyplate = Keyplate.open(config().build())) {
            String token = keyplate.createSetupToken().getSecret().reveal();
            SignedIn admin;
            try (Keyplate stranger = keyplate.anonymous(ClientInfo.builder().address("192.0.2.7").build())) {
                admin = stranger.claimSetup(token, NewAdmin.builder("ann").displayName("Ann").build());
            }
            Authenticated signedIn = keyplate.authenticate(admin.getSecret().reveal());
            try (Keyplate ann = keyplate.actingAs(signedIn.getPrincipal(), new ClientInfo())) {
                CreatedApiKey key = ann.createApiKey(
                        NewApiKey.builder("automation", List.of("users:read")).note("nightly").build());
                ann.completeSetup();
                assertEquals("ann", keyplate.verifyApiKey(key.getSecret().reveal()).getUsername());
                assertEquals("nightly", key.getApiKey().getNote());
            }
            assertEquals("Ann", admin.getUser().getDisplayName());
        }
    }

    @Test
    void twentyFriends() throws KeyplateException {
        List<EventKind> heard = new ArrayList<>();
        try (Keyplate keyplate = Keyplate.open(config().events(event -> heard.add(event.getKind())).build())) {
            keyplate.updateSettings(SettingsChanges.builder().signupMode(SignupMode.WITH_TOKEN).build());
            Group friends = keyplate.createGroup(new NewGroup("friends"));
            CreatedSignupToken invitation = keyplate.createSignupToken(NewSignupToken.builder()
                    .note("for the summer party")
                    .uses(new Limit.AtMost(20))
                    .groupIds(List.of(friends.getId()))
                    .build());
            try (Keyplate friend = keyplate.anonymous(new ClientInfo("192.0.2.7"))) {
                friend.inspectSignupToken(invitation.getSecret().reveal());
                SignedIn bob = friend.signUp(
                        NewSignup.builder("bob").token(invitation.getSecret()).build());
                assertEquals(List.of(friends.getId()), bob.getUser().getGroupIds());
                assertEquals(1, keyplate.getSignupToken(invitation.getSignupToken().getId()).getUses());
                CreatedOneTimeToken code = keyplate.createOneTimeToken(bob.getUser().getId(), null);
                SignedIn again = friend.redeemOneTimeToken(code.getSecret().reveal());
                assertEquals(bob.getUser().getId(), again.getUser().getId());
            }
            List<String> names = Lists.usersStream(keyplate).map(User::getUsername).toList();
            assertEquals(List.of("bob"), names);
        }
        assertTrue(heard.contains(EventKind.USER_SIGNED_UP), heard.toString());
    }

    @Test
    void aPasskey() throws Exception {
        try (Keyplate keyplate = Keyplate.open(config().rpName("Media").build())) {
            User bob = keyplate.createUser(new NewUser("bob"));
            SignedIn first = keyplate.createSession(bob.getId(), new ClientInfo(), null);
            Principal principal = keyplate.authenticate(first.getSecret().reveal()).getPrincipal();
            try (Keyplate own = keyplate.actingAs(principal, new ClientInfo());
                    Keyplate stranger = keyplate.anonymous(new ClientInfo())) {
                PasskeyCeremony begun = own.beginPasskeyRegistration();
                String answer = browser("register", begun.getOptions());
                PasskeyRegistration made = own.finishPasskeyRegistration(begun.getCeremony(), answer, "laptop");
                assertEquals("laptop", made.getPasskey().getName());
                // The session that no passkey had opened has ended; this one takes its place.
                String secret = made.getSignedIn().getSecret().reveal();
                assertEquals(bob.getId(), keyplate.authenticate(secret).getUserId());

                PasskeyCeremony login = stranger.beginPasskeyLogin();
                String assertion = browser("authenticate", login.getOptions());
                assertEquals(login.getId(), stranger.inspectPasskeyAnswer(assertion).getCeremonyId());
                SignedIn signedIn = stranger.finishPasskeyLogin(login.getCeremony(), assertion);
                assertEquals(bob.getId(), signedIn.getUser().getId());
                assertThrows(
                        KeyplateException.PasskeyCeremonyFailed.class,
                        () -> stranger.finishPasskeyLogin(login.getCeremony(), assertion));
            }
        }
    }

    @Test
    void aService() throws KeyplateException {
        Config config = config().encryptionKey(new Secret("a key of at least thirty-two characters")).build();
        try (Keyplate keyplate = Keyplate.open(config)) {
            User bob = keyplate.createUser(new NewUser("bob"));
            Service films = keyplate.createService(NewService.builder("films").build());
            Group friends = keyplate.createGroup(new NewGroup("friends"));
            keyplate.setServiceAccess(films.getId(), false, List.of(friends.getId()));
            SignedIn session = keyplate.createSession(bob.getId(), new ClientInfo(), 3600L);
            Authenticated who = keyplate.authenticate(session.getSecret().reveal());
            assertFalse(keyplate.authorize(who.getPrincipal(), "films").getAllowed());
            keyplate.setUserGroups(bob.getId(), List.of(friends.getId()));
            assertTrue(keyplate.authorize(who.getPrincipal(), "films").getAllowed());
            AccessToken token = keyplate.issueAccessToken(who.getPrincipal(), "films", null);
            AccessTokenClaims claims = keyplate.verifyAccessToken(token.getSecret().reveal(), "films");
            assertEquals(bob.getId(), claims.getUserId());
        }
    }

    @Test
    void refusals() throws KeyplateException {
        try (Keyplate keyplate = Keyplate.open(config().build())) {
            keyplate.createUser(new NewUser("bob"));
            KeyplateException.Conflict taken =
                    assertThrows(KeyplateException.Conflict.class, () -> keyplate.createUser(new NewUser("Bob")));
            assertEquals(ConflictReason.TAKEN, taken.getWhat());
            assertEquals("username", taken.getField());
            assertEquals(409, taken.httpStatus());
            User changed = keyplate.updateUser(
                    keyplate.findUserByUsername("bob").getId(),
                    UserChanges.builder().displayName("Bob").expiry(Expiry.Never.INSTANCE).build());
            assertEquals("Bob", changed.getDisplayName());
        }
    }
}
